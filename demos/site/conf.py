"""How Sphinx makes the site of the lessons and pages beside this folder."""

import os
import sys
from pathlib import Path

SITE = Path(__file__).parent
ROOT = SITE.parents[1]
sys.path[:0] = [str(SITE), str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])  # kernels

project = "tinygrad_edu"
author = "the authors of tinygrad_edu"
project_copyright = author
language = "en"
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "myst_nb",
    "sphinx_codeautolink",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_exercise",
    "extension",
]
if tags.has("live"):  # noqa: F821 (Sphinx gives it)
    extensions.append("live")
napoleon_google_docstring = (
    False  # of the estimator alone, which is documented as scikit-learn's are
)
include_patterns = ["*.md", "lessons/*", "pages/*.md", "reference/*.rst"]

# Lessons are scripts in cells: jupytext reads them, and they run anew in each build.
nb_custom_formats = {".py": ["jupytext.reads", {"fmt": "py:percent"}]}
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_render_markdown_format = "myst"
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "tinygrad_edu"
html_favicon = "_static/icon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["print.js", "frames.js"]
templates_path = ["_templates"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_sidebars = {"index": []}
html_theme_options = {
    "show_prev_next": True,
    "article_header_end": ["around.html"],
    "secondary_sidebar_items": {"reference/*": ["page-toc"]},
    "footer_start": [],
    "footer_center": [],
    "footer_end": [],
    "header_links_before_dropdown": 6,
    "navigation_with_keys": True,
    "back_to_top_button": False,
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

default_role = "code"
autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
add_module_names = False
codeautolink_concat_default = True
codeautolink_autodoc_inject = True
codeautolink_custom_blocks = {"ipython3": None, "ipython": None}
