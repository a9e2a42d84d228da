"""The report page: from a number of the card to the words and the sound behind it."""
