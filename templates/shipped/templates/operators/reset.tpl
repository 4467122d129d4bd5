Hello {{ name }},

someone asked for a new password for {{ server }}. Choose it here:

{* link *}

The link works once, for {{ lifetime }}. If it was not you, ignore this mail: your password stays as it is.
