"""Software that others wrote, run against this project's emulator of the IQM server.

`make foreign` makes one environment per group of clients that can be installed together
(`pins/GROUP.txt` names them), starts the emulator and lets every script of `clients/` do real work
on it. `python -m tools.foreign` does the same with environments that are there.
"""
