--- The templates of the debug pages.
--- Flow: page.lua renders them with qlua's own engine, autoescaped.

local M = {}

M["macros.html"] = [[
{% macro value(node) -%}
{%- if node.entries -%}
<details class="tree"><summary class="{{ node.kind }}">{{ node.text }}</summary>
<div class="items">
{%- for item in node.entries -%}
<div><span class="key">{{ item.key }}</span>{{ value(item.node) }}</div>
{%- endfor -%}
{%- if node.more %}<div class="note">{{ node.more }} more</div>{% endif -%}
</div></details>
{%- else -%}
<span class="tree {{ node.kind }}">{{ node.text }}</span>
{%- endif -%}
{%- endmacro %}

{% macro rows(list) -%}
<dl class="rows">
{%- for row in list -%}
<dt><code>{{ row.name }}</code></dt><dd>{{ value(row.node) }}</dd>
{%- endfor -%}
</dl>
{%- endmacro %}

{% macro source(lines) -%}
<pre class="source">
{%- for line in lines -%}
<span{% if line.current %} class="current"{% endif %}><i>{{ line.number }}</i>{{ line.text }}</span>
{%- endfor -%}
</pre>
{%- endmacro %}

{% macro rules(list) -%}
<div class="scroll"><table><tr><th>Rule</th><th>Methods</th><th>Endpoint</th></tr>
{%- for rule in list %}
<tr><td><code>
{%- if rule.link %}<a href="{{ rule.link }}">{{ rule.rule }}</a>
{%- else %}{{ rule.rule }}{% endif -%}
</code></td><td>{{ rule.methods }}</td><td><code>{{ rule.endpoint }}</code></td></tr>
{%- endfor %}
</table></div>
{%- endmacro %}
]]

M["layout.html"] = [[
{%- import "macros.html" as show -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ title }}</title>
<style nonce="{{ nonce }}">{{ style|safe }}</style>
{% block head %}{% endblock %}
</head>
<body data-base="{{ base }}" data-generation="{{ generation }}"{% block attributes %}{% endblock %}>
{% block body %}{% endblock %}
{% if scripted %}<script nonce="{{ nonce }}">{{ script|safe }}</script>{% endif %}
</body>
</html>
{%- if traceback %}
<!--
{{ traceback|safe }}
-->
{% endif %}
]]

M["console.html"] = [[
{%- import "macros.html" as show -%}
{% if answer.output %}<pre>{{ answer.output }}</pre>{% endif %}
{%- if answer.error %}<pre class="wrong">{{ answer.error }}</pre>{% endif %}
{%- for node in answer.results %}<div>{{ show.value(node) }}</div>{% endfor %}
]]

M["error.html"] = [[
{% extends "layout.html" %}
{% macro variables(title, list) %}
{%- if list %}<h3>{{ title }}</h3>{{ show.rows(list) }}{% endif %}
{% endmacro %}

{% macro frame(frame, is_open) %}
<details class="frame {{ frame.kind }}" id="frame-{{ frame.index }}"{{ " open" if is_open }}>
<summary><b>{{ frame.title }}</b>
{%- if frame.kind == "template" %}<span class="tag">template</span>{% endif -%}
{%- if frame.place %}<code>{{ frame.place }}</code>{% endif %}</summary>
{% if frame.lines %}{{ show.source(frame.lines) }}{% endif %}
<div class="inside">
{{ variables("Arguments", frame.arguments) -}}
{{ variables("Locals" if frame.kind == "lua" else "Values", frame.locals) -}}
{{ variables("Upvalues", frame.upvalues) -}}
{% if frame.kind == "c" %}<p class="note">No source: this is C.</p>
{%- elif not frame.lines %}<p class="note">No source is at hand.</p>{% endif %}
</div>
{% if frame.console %}
<div class="console" data-url="{{ page.console }}/{{ frame.index }}">
<div class="log" aria-live="polite"></div>
<form class="prompt"><textarea rows="1" spellcheck="false" autocapitalize="off"
 autocomplete="off" aria-label="Lua in this frame" placeholder="Lua in this frame"></textarea>
<button>Run</button></form>
</div>
{% endif %}
</details>
{% endmacro %}

{% macro fact(section, is_open) %}
<details class="fact"{{ " open" if is_open }}><summary>{{ section.title -}}
<span class="tag">{{ section.rows|length }}</span></summary>
<div class="inside">{{ show.rows(section.rows) }}</div></details>
{% endmacro %}

{% block body %}
<header><div class="inner">
<h1>{{ page.kind }}</h1>
<p class="message">{{ page.message }}</p>
<p class="where">{% if page.method %}<code>{{ page.method }} {{ page.path }}</code>{% endif %}
{%- if page.where %} in {{ page.where }}{% endif %}</p>
<div class="actions">
{% if page.again %}
<form id="again" method="post" action="{{ page.again }}"><button>Run again</button></form>
{% elif page.method %}
<span class="note">The body was not kept: the request cannot be run again.</span>
{% endif %}
</div>
<p class="banner" id="newer" hidden>The app has been loaded anew since. Run the request again on
the new code; the console of this page works no more.</p>
</div></header>
<main>
{% if page.named %}
<h2><code>{{ page.named.place }}</code></h2>
<p class="note">{{ page.named.note }}</p>
<div class="box">{{ show.source(page.named.lines) }}</div>
{% endif %}
<h2>Frames</h2>
<p class="note">Innermost first: where the error was raised is at the top.</p>
{% for group in page.groups %}
{% if group.own %}
<details class="folded"><summary>{{ group.frames|length }}
{{ "frame" if group.frames|length == 1 else "frames" }} of qlua and C</summary><div class="inside">
{% for item in group.frames %}{{ frame(item, false) }}{% endfor %}
</div></details>
{% else %}
{% for item in group.frames %}{{ frame(item, item.index == page.first) }}{% endfor %}
{% endif %}
{% else %}
<p class="note">{{ page.no_frames }}</p>
{% endfor %}

{% if page.value %}
<h2>Error value</h2>
<div class="box"><div class="inside">{{ show.value(page.value) }}</div></div>
{% endif %}

{% if page.request %}
<h2>Request</h2>
{% for section in page.request if section.rows %}
{{ fact(section, loop.first) }}
{% endfor %}
<p class="note">{% for section in page.request if not section.rows -%}
{{ section.title }}: {{ section.note }}{{ ". " if not loop.last else "." }}
{%- endfor %}</p>
{% endif %}

<h2>App</h2>
{{ fact(page.config, false) }}
<details class="fact"><summary>Routes<span class="tag">{{ page.rules|length }}</span></summary>
<div class="inside">{{ show.rules(page.rules) }}</div></details>
<details class="fact"><summary>Traceback as text</summary>
<pre class="text">{{ page.traceback }}</pre></details>
</main>
<footer>
{%- for item in page.versions %}{{ item.name }} {{ item.text }}{{ " · " if not loop.last -}}
{% endfor -%}
</footer>
<dialog id="pin"><form>
<p>The console needs the PIN that the server printed when it started.</p>
<p><input name="pin" inputmode="numeric" autocomplete="off" placeholder="000-000-000"
 aria-label="PIN"></p>
<p class="wrong" role="alert"></p>
<div class="actions"><button>Unlock</button>
<button class="quiet" type="button">Cancel</button></div>
</form></dialog>
{% endblock %}
]]

M["load_error.html"] = [[
{% extends "layout.html" %}
{% block head %}
{% if page.reloads %}<noscript><meta http-equiv="refresh" content="2"></noscript>{% endif %}
{% endblock %}
{% block attributes %}
 data-wait="{{ "reload" if page.reloads else "say" }}" data-changes="{{ page.changes }}"
{%- endblock %}
{% block body %}
<header><div class="inner">
<h1>The app does not load</h1>
<p class="message">{{ page.message }}</p>
<p class="where">{{ "This page shows the app again as soon as it loads." if page.reloads else
  "The request was not run: send it again when the app loads." }}</p>
<p class="banner" id="newer" hidden>The app loads again: send the request once more.</p>
</div></header>
<main>
{% if page.lines %}
<h2><code>{{ page.place }}</code></h2><div class="box">{{ show.source(page.lines) }}</div>
{% endif %}
{% if page.text %}
<h2>Traceback</h2>
<div class="box"><pre class="text">{{ page.text }}</pre></div>
{% endif %}
<p class="note">The app is loaded again when a file changes. The code from before serves nobody
meanwhile, because this is debug mode.</p>
</main>
{% endblock %}
]]

M["routing.html"] = [[
{% extends "layout.html" %}
{% block body %}
<header class="plain"><div class="inner">
<h1>{{ page.code }} {{ page.name }}</h1>
<p class="message">{{ page.method }} {{ page.path }}</p>
<p class="where">{{ page.why }}</p>
</div></header>
<main>
{% if page.near %}<h2>Rules near it</h2>{{ show.rules(page.near) }}{% endif %}
<h2>All rules</h2>
<p class="note">In the order in which requests try them. This page is shown in debug mode only.</p>
{{ show.rules(page.rules) }}
</main>
{% endblock %}
]]

M["message.html"] = [[
{% extends "layout.html" %}
{% block body %}
<header class="plain"><div class="inner">
<h1>{{ page.name }}</h1>
<p class="message">{{ page.text }}</p>
{% if page.action %}
<form method="post" action="{{ page.action }}" class="actions">
<input type="hidden" name="sure" value="1">
{% if page.pin %}
<input name="pin" inputmode="numeric" autocomplete="off" placeholder="000-000-000" aria-label="PIN">
{% endif %}
<button>{{ page.button }}</button></form>
{% endif %}
</div></header>
<main>
{% if page.profile %}<p><a href="{{ page.profile }}">Profile</a></p>{% endif %}
{% if page.errors %}
<div class="scroll"><table><tr><th>Error</th><th>Request</th><th>When</th></tr>
{% for item in page.errors %}
<tr><td><a href="{{ item.link }}">{{ item.kind }}</a> <code>{{ item.message }}</code></td>
<td><code>{{ item.request }}</code></td><td>{{ item.time }}</td></tr>
{% endfor %}
</table></div>
{% endif %}
</main>
{% endblock %}
]]

for name, text in pairs(require "qlua.profile.templates") do
  M[name] = text
end

return M
