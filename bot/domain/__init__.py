"""The vocabulary of sre-bot: frozen data, errors and ports. No I/O, standard library only."""
