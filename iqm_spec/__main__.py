"""`python -m iqm_spec` is `iqm-spec`."""

from iqm_spec.cli import main

main()
