"""The task page and its stylesheet. Inside the code so that the package runs wherever its modules are."""

TASKS = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tasks · {{ org }}</title>
<link rel="stylesheet" href="/sandbox/style.css">
</head>
<body>
<header>
  <h1>Tasks <small>{{ org }}, the CRM of the people who sell {{ product }}</small></h1>
  <p>{{ ours | selectattr("closed", "false") | list | length }} open from Undertone · today is {{ today }}</p>
</header>
<main>
{% if error %}
<p class="error" role="alert">{{ error }}</p>
{% endif %}
<h2>From Undertone</h2>
{% if not ours %}
<p class="none">No task yet. Undertone has pushed nothing into this org.</p>
{% endif %}
{% for task in ours %}
<article id="{{ task.id }}"{% if task.closed %} class="closed"{% endif %}>
  <h3>{{ task.subject or "(no subject)" }}</h3>
  <ul class="facts">
    <li><b>{{ task.account or "no account" }}</b>{% if task.contact %}, {{ task.contact }}{% endif %}</li>
    <li>{{ task.owner or "nobody" }}</li>
    <li{% if task.overdue %} class="late"{% endif %}>{{ "due " ~ task.due if task.due else "no due day" }}{{ ", overdue" if task.overdue }}</li>
    <li{% if task.priority == "High" %} class="high"{% endif %}>{{ task.priority }} priority</li>
    <li>{{ task.status }}</li>
  </ul>
  <pre>{{ task.description or "" }}</pre>
  <form method="post" action="/sandbox/tasks">
    <input type="hidden" name="id" value="{{ task.id }}">
    <label>Status
      <select name="status">
      {% for status in statuses %}
        <option{% if status == task.status %} selected{% endif %}>{{ status }}</option>
      {% endfor %}
      </select>
    </label>
    <label>Feedback
      <select name="feedback">
        <option value="">none</option>
      {% for value, label in feedback_labels.items() %}
        <option value="{{ value }}"{% if value == task.feedback %} selected{% endif %}>{{ label }}</option>
      {% endfor %}
      </select>
    </label>
    <button>Save</button>
  </form>
</article>
{% endfor %}
<h2>Other tasks and calls</h2>
{% if not others %}
<p class="none">None.</p>
{% endif %}
{% for task in others %}
<details id="{{ task.id }}">
  <summary>{{ task.subject or "(no subject)" }} <span>{{ task.account or "no account" }} · {{ task.due or "no due day" }} · {{ task.status }}</span></summary>
  <pre>{{ task.description or "" }}</pre>
</details>
{% endfor %}
</main>
</body>
</html>
"""

STYLE = """
:root { color-scheme: light dark; --page: #f5f4f1; --card: #fff; --ink: #1d2125; --soft: #5d646b; --line: #dcdad4; --accent: #1f6f63; --warn: #a3361f; }
@media (prefers-color-scheme: dark) {
  :root { --page: #15181a; --card: #1e2326; --ink: #e6e8e9; --soft: #a2abb1; --line: #343b40; --accent: #6fc7b6; --warn: #f0917c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main { max-width: 54rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.5rem; }
h1 small { font-size: 1rem; font-weight: 400; color: var(--soft); }
header p, .none { color: var(--soft); }
h2 { font-size: 1rem; color: var(--soft); margin: 2rem 0 .75rem; }
h3 { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
article { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 6px; }
article { padding: 1rem; margin-bottom: 1rem; }
article:target { outline: 2px solid var(--accent); }
article.closed { border-left-color: var(--line); }
article.closed h3 { color: var(--soft); text-decoration: line-through; }
.facts { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .5rem 0; padding: 0; color: var(--soft); }
.facts b { color: var(--ink); }
.facts .high, .facts .late, .error { color: var(--warn); font-weight: 600; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; margin: .75rem 0; }
form { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end; border-top: 1px solid var(--line); padding-top: .75rem; }
label { display: grid; gap: .15rem; font-size: .85rem; color: var(--soft); }
select, button { font: inherit; padding: .35rem .6rem; min-height: 2.4rem; color: var(--ink); background: var(--page); }
select, button { border: 1px solid var(--line); border-radius: 4px; }
button { background: var(--accent); border-color: var(--accent); color: var(--card); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
details { border-top: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary span { color: var(--soft); }
"""
