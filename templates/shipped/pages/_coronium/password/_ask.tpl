{# Asks for a new link. Without a scope the page behind it finds out which app is meant, or asks. #}
<form method="post" action="/_forgotpassword" data-ask>
{{#if scope}}<input type="hidden" name="scope" value="{{ scope }}">{{/if}}
{{#if apps}}
<div class="field">
<label for="scope">App</label>
<div class="input">
<select id="scope" name="scope" required{{#if scope_problem}} aria-describedby="scope-problem" aria-invalid="true" autofocus{{/if}}>
<option value="">{{#if german}}Bitte wählen …{{else}}Choose…{{/if}}</option>
{{#each apps}}<option value="{{ name }}">{{ title }}</option>{{/each}}
</select>
</div>
<p class="mistake" id="scope-problem">{{#if scope_problem}}{{ scope_problem }}{{/if}}</p>
</div>
{{/if}}
<div class="field">
<label for="email">{{#if german}}E-Mail-Adresse Ihres Kontos{{else}}Email address of your account{{/if}}</label>
<div class="input">
<input id="email" name="email" type="email" required autocomplete="email" autocapitalize="none" spellcheck="false"{{#if email}} value="{{ email }}"{{/if}}{{#if email_problem}} aria-describedby="email-problem" aria-invalid="true" autofocus{{/if}}>
</div>
<p class="mistake" id="email-problem">{{#if email_problem}}{{ email_problem }}{{/if}}</p>
</div>
<button class="go" type="submit" data-busy="{{#if german}}Wird gesendet …{{else}}Sending…{{/if}}">{{#if german}}Link senden{{else}}Send me a link{{/if}}</button>
</form>
