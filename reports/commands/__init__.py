"""Commands beside pytest: gate, rules, silences, readme."""
