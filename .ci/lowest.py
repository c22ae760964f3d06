"""Print constraints that pin every dependency of pyproject.toml to the lowest version it allows.

pip install -e '.[test]' -c <(python .ci/lowest.py)
"""

import re
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
extras = project["optional-dependencies"]
NOT_PINNED = ("browser", "bench")  # what other engines need is theirs
requirements = project["dependencies"] + [
    requirement for extra, some in extras.items() if extra not in NOT_PINNED for requirement in some
]
for requirement in sorted(set(requirements)):
    if found := re.fullmatch(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)", requirement):
        print(f"{found[1]}=={found[2]}")
