{# Chooses a new password. Works without JavaScript; password_submit.js adds the hint, the show button and the checks
   before sending. The code stays in the form, so that the address can be cleaned of it. #}
{{#> _coronium/_layout.tpl title="Choose a new password" title_de="Neues Passwort wählen"}}
<h1>{{#if german}}Neues Passwort wählen{{else}}Choose a new password{{/if}}</h1>
<p class="lead">{{#if german}}für{{else}}for{{/if}} <strong>{{ username }}</strong></p>
<form method="post" action="{{ action }}" data-reset data-app="{{ app_name }}" data-user="{{ username }}">
<input type="hidden" name="code" value="{{ code }}">
<input class="away" type="text" name="username" value="{{ username }}" autocomplete="username" readonly tabindex="-1" aria-hidden="true">
<div class="field">
<label for="password">{{#if german}}Neues Passwort{{else}}New password{{/if}}</label>
<div class="input">
<input id="password" name="password" type="password" data-secret required autocomplete="new-password" autocapitalize="none" autocorrect="off" spellcheck="false" passwordrules="minlength: 8; maxlength: 128;" aria-describedby="{{#if password_problem}}password-problem {{/if}}password-hint"{{#if password_problem}} aria-invalid="true"{{/if}}{{#unless confirm_problem}} autofocus{{/unless}}>
<button class="show" type="button" data-show="password" aria-pressed="false" hidden>{{#if german}}Zeigen{{else}}Show{{/if}}</button>
</div>
<p class="mistake" id="password-problem">{{#if password_problem}}{{ password_problem }}{{/if}}</p>
<div class="strength" data-strength hidden><span></span><span></span><span></span><span></span></div>
<p class="hint" id="password-hint" data-hint aria-live="polite">{{#if german}}Mindestens 8 Zeichen. Ein paar Wörter, die nichts miteinander zu tun haben, sind leicht zu tippen und schwer zu erraten.{{else}}At least 8 characters. A few unrelated words are easy to type and hard to guess.{{/if}}</p>
</div>
<div class="field">
<label for="password_confirm">{{#if german}}Neues Passwort wiederholen{{else}}Confirm new password{{/if}}</label>
<div class="input">
<input id="password_confirm" name="password_confirm" type="password" data-secret required autocomplete="new-password" autocapitalize="none" autocorrect="off" spellcheck="false"{{#if confirm_problem}} aria-describedby="password_confirm-problem" aria-invalid="true" autofocus{{/if}}>
<button class="show" type="button" data-show="password_confirm" aria-pressed="false" hidden>{{#if german}}Zeigen{{else}}Show{{/if}}</button>
</div>
<p class="mistake" id="password_confirm-problem">{{#if confirm_problem}}{{ confirm_problem }}{{/if}}</p>
</div>
<button class="go" type="submit" data-busy="{{#if german}}Wird gespeichert …{{else}}Saving…{{/if}}">{{#if german}}Neues Passwort speichern{{else}}Save new password{{/if}}</button>
</form>
{{/_coronium/_layout.tpl}}
