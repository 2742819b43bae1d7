"""Full disks, which each library reports in its own way."""

import errno
import re

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# safetensors and tokenizers give the number in words, torch.save a wrong place in its file.
_WORDS = re.compile(
    r"os error (28|122|27)\b|No space left|PytorchStreamWriter failed writing|unexpected pos \d+ vs"
)


def is_full(error: BaseException) -> bool:
    """Whether `error`, or one that led to it, means that nothing more can be written."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.errno in _FULL:
            return True
        if _WORDS.search(str(current)):
            return True
        current = current.__cause__ or current.__context__
    return False
