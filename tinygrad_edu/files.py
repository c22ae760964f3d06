"""Files written whole or not at all."""

import os
from contextlib import suppress


def write_whole(path: str | os.PathLike[str], payload: bytes) -> None:
    """Write ``payload`` beside ``path`` first; a file of that name is replaced only by all of it.

    Raises OSError if the file cannot be written; then nothing has changed.
    """
    path = os.fspath(path)
    unfinished = f"{path}.{os.urandom(4).hex()}.unfinished"
    try:
        with open(unfinished, "xb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        if error.filename:
            error.filename = path  # the name that the caller knows
        raise
    finally:
        with suppress(FileNotFoundError):
            os.remove(unfinished)
