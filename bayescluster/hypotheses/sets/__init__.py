"""Set theory: calibration, necessity and sufficiency of sets, truth tables and their solutions."""
