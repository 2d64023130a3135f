"""A search for answers of a server that the command line cannot bear.

Real answers of the emulator are changed in a few places on their way (`mutate`, `proxy`) while
commands run that ask for them (`scenes`), and every command is held to what it promises whatever a
server says (`laws`). `python -m tests.answers --help` tells how to search for long.
"""
