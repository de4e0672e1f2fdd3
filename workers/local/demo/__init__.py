"""The demo: everything at work on this machine, watched while invented customers write."""
