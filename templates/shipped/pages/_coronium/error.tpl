{{#> _coronium/_layout.tpl}}
<p class="badge" aria-hidden="true">{{ status }}</p>
<h1>{{ title }}</h1>
<p>{{ message }}</p>
{{#if incident}}<p class="quiet">{{#if german}}Wenn Sie das melden, nennen Sie die Nummer{{else}}If you report this, give the number{{/if}} <code>{{ incident }}</code>.</p>{{/if}}
{{/_coronium/_layout.tpl}}
