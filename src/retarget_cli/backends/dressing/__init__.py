"""Other clothes for a subject, whatever method moves it afterwards."""
