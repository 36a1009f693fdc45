"""Run a command and write what it took: `python -m benchmarks.spend REPORT COMMAND...`.

A small process of its own, because the kernel counts the memory of the process that starts a
command as the command's own peak, and the measuring process is not small.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

report, *command = sys.argv[1:]
began = time.perf_counter()
code = subprocess.call(command)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
Path(report).write_text(json.dumps({"seconds": seconds, "peak": peak}), "utf-8")
sys.exit(code)
