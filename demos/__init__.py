"""The lessons, the programs, and the site that is made of them: ``python -m demos``."""
