"""From files of literature to passages with offsets: read, chunk, merge, flag, keep."""
