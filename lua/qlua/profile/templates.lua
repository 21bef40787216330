--- The page of a profile; layout and style are those of the debug pages.
--- Flow: debugger/templates.lua has it among its own.

local M = {}

M["profile.html"] = [[
{% extends "layout.html" %}
{% macro states(list) -%}
{%- for share in list %}<td class="number">{{ share }}</td>{% endfor -%}
{%- endmacro %}
{% macro heads() -%}
<th title="compiled by the JIT compiler">Compiled</th><th>Interpreted</th><th>C</th>
<th title="garbage collection">Collector</th><th title="the JIT compiler itself">Compiler</th>
{%- endmacro %}
{% macro box(item, row) -%}
<g class="{{ item.class }}"><title>{{ item.title }}</title>
<rect x="{{ item.x }}" y="{{ item.y }}" width="{{ item.width }}" height="{{ row - 1 }}"/>
{%- if item.label %}<text x="{{ item.x|float + 3 }}" y="{{ item.y + 14 }}">{{ item.label }}</text>
{%- endif %}</g>
{%- endmacro %}
{% block head %}
{% if page.taking %}<meta http-equiv="refresh" content="2">{% endif %}
<style nonce="{{ nonce }}">
.flame { display: block; min-width: 860px; width: 100%; height: auto; margin: 0 0 8px; }
.flame text { font: 12px ui-monospace, Menlo, "DejaVu Sans Mono", monospace; fill: #1d2125;
  pointer-events: none; }
.flame .route rect { fill: #b9c7d6; } .flame .app rect { fill: #f2b568; }
.flame .own rect { fill: #d8d6cf; } .flame .c rect { fill: #a9d3b0; }
.flame g:hover rect { stroke: #1d2125; stroke-width: 1; }
td.number { white-space: nowrap; }
td:first-child { min-width: 150px; } .lines td:first-child { min-width: 240px; }
td code { white-space: pre-wrap; }
.legend { color: var(--dim); font-size: 13px; }
</style>
{% endblock %}
{% block body %}
<header class="plain"><div class="inner">
<h1>Profile</h1>
{% if page.profile %}{% set profile = page.profile %}
<p class="message">{{ profile.samples }} samples in {{ profile.seconds }} s
{%- if page.taking %}, so far{% endif %}</p>
<p class="where">{% if not page.taking %}{{ profile.cpu }} s of processor time
{%- if profile.workers > 1 %} of {{ profile.workers }} workers{% endif %}; {% endif -%}
{{ profile.outside }} of it outside of Lua, in the server itself
{%- if profile.cut %}; {{ profile.cut }} samples with their stack cut short{% endif %}</p>
{% else %}
<p class="message">No profile has been taken</p>
{% endif %}
{% if page.action %}
<div class="actions">
<form method="post" action="{{ page.action }}">
{% if page.taking %}<input type="hidden" name="end" value="1"><button>End it</button>
{% else %}<label><input name="seconds" value="10" size="4" inputmode="numeric"> seconds</label>
<button>Take a profile</button>{% endif %}
</form>
<a href="{{ page.home }}">Errors</a>
</div>
{% endif %}
</div></header>
<main>
{% if page.profile and page.profile.errors %}
{% for text in page.profile.errors %}<p class="wrong">{{ text }}</p>{% endfor %}
{% endif %}
{% if page.profile and page.profile.routes %}{% set profile = page.profile %}
<h2>Routes</h2>
<div class="scroll"><table><tr><th>Route</th><th>Samples</th><th>Share</th>{{ heads() }}</tr>
{% for row in profile.routes %}
<tr><td><code>
{%- if row.link %}<a href="{{ row.link }}">{{ row.name }}</a>
{%- else %}{{ row.name }}{% endif %}</code></td>
<td>{{ row.samples }}</td><td class="number">{{ row.share }}</td>
{{- states(row.states) }}</tr>
{% endfor %}
<tr><td>All</td><td>{{ profile.samples }}</td><td></td>{{ states(profile.states) }}</tr>
</table></div>
<h2>Flame graph{% if profile.flames|length > 1 %}s{% endif %}</h2>
<p class="legend">A box is a function, as wide as the samples in it and in what it called, which
stands below it. Rest the pointer on it for its name, place and share.
{%- if page.action %} Follow it to see only what is below it.{% endif %}</p>
{% if page.up %}<p>
{% for item in page.up %}<a href="{{ item.link }}">{{ item.title }}</a> / {% endfor -%}
<b>{{ page.here }}</b></p>{% endif %}
{% for graph in profile.flames %}
<h3>{{ graph.title }}</h3>
<div class="scroll"><svg class="flame" viewBox="0 0 {{ graph.width }} {{ graph.height }}"
 role="img" aria-label="Flame graph of {{ graph.title }}">
{%- for item in graph.boxes %}
{% if item.link %}<a href="{{ item.link }}">{{ box(item, graph.row) }}</a>
{%- else %}{{ box(item, graph.row) }}{% endif %}
{%- endfor %}
</svg></div>
{% endfor %}
{% endif %}
{% if page.profile and page.profile.lines %}
<h2>Hottest lines</h2>
<div class="scroll lines"><table><tr><th>Line</th><th>Samples</th><th>Share</th>{{ heads() }}</tr>
{% for row in page.profile.lines %}
<tr><td><code>{{ row.place }}{% if row.name %} {{ row.name }}{% endif %}</code>
{%- if row.text %}<br><code>{{ row.text }}</code>{% endif %}</td>
<td>{{ row.samples }}</td><td class="number">{{ row.share }}</td>{{ states(row.states) }}</tr>
{% endfor %}
</table></div>
{% endif %}
{% if page.profile and page.profile.aborts %}
<h2>Traces given up</h2>
<p class="legend">Where the JIT compiler began and stopped; what it gives up again and again stays
interpreted.</p>
<div class="scroll"><table><tr><th>Place</th><th>Reason</th><th>Times</th></tr>
{% for row in page.profile.aborts %}
<tr><td><code>{{ row.place }}</code></td><td>{{ row.reason }}</td><td>{{ row.count }}</td></tr>
{% endfor %}
</table></div>
{% endif %}
</main>
{% endblock %}
]]

return M
