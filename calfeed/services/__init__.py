"""One function for each thing that a user can do, whoever asks: a command, the API, the console."""
