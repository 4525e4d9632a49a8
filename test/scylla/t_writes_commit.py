#!/usr/bin/env python3
"""Writes to foreign tables in write_mode 'commit': t_writes.py in that mode."""

import os
import runpy

os.environ["SCYLLA_WRITE_MODE"] = "commit"
runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "t_writes.py"))
