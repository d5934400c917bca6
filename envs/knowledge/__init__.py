"""What everybody knows: things and actions with their words, plausible amounts, procedures, facts."""
