module deuterium/bench

go 1.25
