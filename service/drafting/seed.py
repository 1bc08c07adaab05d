"""What chance starts from."""

from __future__ import annotations

import hashlib

from service.drafting.material import Material

ENGINE = "drafting-4"


def digest(material: Material) -> bytes:
    """What chance starts from: nothing that a name could change."""
    request = material.request
    what = "|".join([ENGINE, str(request.id), request.seed, request.channel, request.lang, *(e.type for e in material.pieces)])
    return hashlib.sha256(what.encode("utf-8", "backslashreplace")).digest()
