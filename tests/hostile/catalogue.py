"""All scenarios, of every file."""

from __future__ import annotations

from .scenario import Scenario
from .scenarios_content import CONTENT
from .scenarios_fields import FIELDS
from .scenarios_floods import FLOODS
from .scenarios_frames import FRAMES
from .scenarios_http1 import HTTP1
from .scenarios_policy import POLICY
from .scenarios_transport import TRANSPORT

SCENARIOS: list[Scenario] = [*FLOODS, *FRAMES, *FIELDS, *CONTENT, *HTTP1, *TRANSPORT, *POLICY]
