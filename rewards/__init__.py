"""How good an answer is: dimensions and their combination into a training signal. No torch."""
