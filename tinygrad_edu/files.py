"""Files written whole or not at all."""

import os
from pathlib import Path


def write_whole(path: str | os.PathLike[str], payload: bytes) -> None:
    """Write ``payload`` beside ``path`` first; a file of that name is replaced only by all of it.

    Raises OSError if the file cannot be written; then nothing has changed.
    """
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.{os.urandom(4).hex()}.unfinished")
    try:
        with open(unfinished, "xb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        if error.filename:
            error.filename = os.fspath(path)  # the name that the caller knows
        raise
    finally:
        unfinished.unlink(missing_ok=True)
