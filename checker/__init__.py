"""The independent checker: reads only topics (`read_committed`) and tables, imports nothing of the project.

What it knows of Tongdai it knows from the public contract and the tables' definitions, so that a mistake
in the workers' code cannot hide itself here.
"""
