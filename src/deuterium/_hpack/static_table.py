"""The static table (RFC 7541 appendix A), as finished fields and as a search index."""

from __future__ import annotations

from typing import Final

from deuterium._hpack.tables import STATIC_TABLE
from deuterium._http.field import make_field

FIRST_DYNAMIC_INDEX: Final = len(STATIC_TABLE) + 1

# By index; there is no index 0, and the field in its place is never handed out.
STATIC_FIELDS: Final = (make_field("", ""), *(make_field(name, value) for name, value in STATIC_TABLE))

INDEX_OF_PAIR: Final = {pair: index for index, pair in enumerate(STATIC_TABLE, 1)}

# The lowest index of each name.
INDEX_OF_NAME: Final = {name: index for index, (name, _) in reversed(list(enumerate(STATIC_TABLE, 1)))}
