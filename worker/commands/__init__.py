"""The commands, one module each: ``run(settings, options) -> exit status``."""
