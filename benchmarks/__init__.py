"""What Undertone costs, as ratios against a bare reference of the same run. CPU time of all processes involved, median of five."""
