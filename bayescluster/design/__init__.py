"""From firms to named arrays: coding, scaling, groups. Nothing here knows PyMC."""
