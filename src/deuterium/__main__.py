"""``python -m deuterium`` is the ``deuterium`` command."""

from .cli import main

raise SystemExit(main())
