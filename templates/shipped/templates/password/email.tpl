You have requested a password reset for our app.

Please click the following link to reset your password:

{* reset_link *}

Thank you.
