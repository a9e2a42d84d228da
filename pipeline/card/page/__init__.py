"""The report page: its template, style, script and the data in it."""
