"""Files of people: the one reader for imports, comparisons, erasures, lookup tables and the terminal.

Bytes are unpacked (`packed`), brought to UTF-8 (`encoded`), cut into lines (`lines`), and those become rows of a table
(`rows`, `table`) or JSON objects (`objects`). What cannot be read is never left out in silence: a record is told to be
wrong with its line and the reason, and the next one is read; where nothing behind a place can be read, that is told
too; and a file of which nothing can be used raises `UnreadableFile`.
"""
