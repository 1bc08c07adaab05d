"""Text and numbers in, scores and evidence out. No I/O, no clock, no ids of ours."""
