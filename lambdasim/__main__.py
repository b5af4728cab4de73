"""``python -m lambdasim``."""

from lambdasim.cli import main

raise SystemExit(main())
