"""Word error counts in, intervals, disparities and interactions out; the speaker is the unit of independence."""
