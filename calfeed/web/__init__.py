"""Web: feeds by look-up, pages by Flask."""
