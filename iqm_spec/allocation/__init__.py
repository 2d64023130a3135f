"""The papers of an allocation: the request for credits before, the usage report after.

Facts about plans and runs, templates of the papers, and Markdown made into a page of HTML.

Imports: cost, engine, model, plan, results, stages, store, version.
"""
