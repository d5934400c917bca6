"""The dimensions, one file per family. Each file ends in a tuple `DIMENSIONS`; `rewards/table.py` lists the files."""
