#include "core/template/preview_page.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "core/html_escape.h"
#include "core/lower_case.h"
#include "core/template/preview_page_style.h"

namespace pony {
namespace {

// Nothing is fetched, run or sent: what is shown is in the page. A frame's
// page inherits this; it is said there again, as it must hold wherever the
// frame's content is taken.
constexpr std::string_view k_policy =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; img-src data: cid:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'\">\n"
    // Names are looked up without asking the policy.
    "<meta http-equiv=\"x-dns-prefetch-control\" content=\"off\">\n";

// Tags that a policy does not keep from connecting somewhere, and what stands
// for them. Of two attributes of a name the first counts.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> k_tamed =
    {{
        // rel=preconnect. What may stand where <link> may, and does nothing.
        {"link", "<basefont"},
        // A browser connects before it asks whether it may open the page.
        {"iframe", "<iframe srcdoc=\"\""},
        {"frame", "<frame src=\"about:blank\""},
        // A new window, which the sandbox refuses: a click does nothing.
        {"a", "<a target=\"_blank\""},
        {"area", "<area target=\"_blank\""},
    }};

// Before the mail's own page, whose <html> and <body> are merged with these.
// An image that is not in the page is a box with its alternative text and its
// address.
constexpr std::string_view k_before_mail =
    "<style>"
    ":root{scrollbar-width:thin}"
    // A phone's lies over the page: its width is all the mail's.
    "@media(max-width:400px){:root{scrollbar-width:none}}"
    // A browser may connect to where a link leads as soon as it is pressed.
    "a,area{pointer-events:none!important}"
    "img:not([src^='data:' i]){display:inline-block;overflow:hidden;"
    "outline:1px dashed #8a8f98!important;outline-offset:-1px;"
    "background:repeating-linear-gradient(135deg,#8881 0 6px,#8883 6px 12px)"
    "!important;font:12px/1.3 system-ui,sans-serif;color:GrayText}"
    "img:not([src^='data:' i])::after{content:' 'attr(src);"
    "font:10px/1.3 monospace;overflow-wrap:anywhere}"
    "</style>\n";

// The radio buttons stand before all that they switch; and their labels.
constexpr std::string_view k_switches =
    "<input class=\"switch\" type=\"radio\" name=\"width\" id=\"at-desk\" "
    "checked>\n"
    "<input class=\"switch\" type=\"radio\" name=\"width\" id=\"on-phone\">\n"
    "<input class=\"switch\" type=\"radio\" name=\"scheme\" id=\"in-light\" "
    "checked>\n"
    "<input class=\"switch\" type=\"radio\" name=\"scheme\" id=\"in-dark\">\n";
constexpr std::string_view k_labels =
    "<span class=\"set widths\"><label for=\"at-desk\">Desktop</label>"
    "<label for=\"on-phone\">Phone</label></span>\n"
    "<span class=\"set\"><label for=\"in-light\">Light</label>"
    "<label for=\"in-dark\">Dark</label></span>\n";

// The name at the beginning of `html`, in lower case; empty where no tag of
// k_tamed begins.
std::string tag_name(std::string_view html) {
  constexpr std::size_t k_longest = 6;
  const auto end = html.substr(0, k_longest + 1).find_first_of(" \t\r\n\f/>");
  if (end == std::string_view::npos) return {};
  return in_lower_case(html.substr(0, end));
}

void append_escaped(std::string& out, std::string_view before,
                    std::string_view text, std::string_view after) {
  out += before;
  append_escaped_html(out, text);
  out += after;
}

// `text` in a paragraph whose direction is its own.
void append_line(std::string& out, std::string_view name, std::string_view text,
                 std::string_view otherwise) {
  out.append("<p dir=\"auto\" class=\"").append(name);
  if (text.empty()) {
    out.append(" none\">").append(otherwise).append("</p>\n");
    return;
  }
  append_escaped(out, "\" title=\"", text, "\">");
  append_escaped(out, "", text, "</p>\n");
}

void append_error(std::string& out, const Error& error) {
  append_escaped(out, "<div class=\"error\">\n<p>", error.what, "</p>\n");
  if (!error.problems.empty()) {
    out += "<ul>\n";
    for (const auto& problem : error.problems) {
      out += "<li>";
      if (!problem.place.empty()) append_escaped(out, "", problem.place, ": ");
      append_escaped(out, "", problem.what, "");
      if (!problem.hint.empty()) append_escaped(out, " – ", problem.hint, "");
      out += "</li>\n";
    }
    out += "</ul>\n";
  }
  if (!error.hint.empty())
    append_escaped(out, "<p class=\"hint\">", error.hint, "</p>\n");
  out += "</div>\n";
}

void append_mail(std::string& out, const Preview& mail) {
  out += "<div class=\"inbox\">\n";
  append_line(out, "from", mail.from,
              "no sender: neither the template nor the configuration has one");
  append_line(out, "subject", mail.subject, "no subject");
  append_line(out, "preheader", mail.preheader, "no words");
  out += "</div>\n";
  if (!mail.html.empty()) {
    append_escaped(out,
                   "<div class=\"frame\"><iframe sandbox=\"\" loading=\"lazy\" "
                   "referrerpolicy=\"no-referrer\" title=\"HTML, ",
                   mail.lang, "\" srcdoc=\"");
    append_escaped(out, "", framed_html(mail.html), "\"></iframe></div>\n");
  }
  out += mail.text_is_made ? "<h3>Text, made from the HTML</h3>\n"
                           : "<h3>Text</h3>\n";
  // The line end after <pre> is not part of it, one in the text would be lost.
  append_escaped(out, "<pre dir=\"auto\" lang=\"", mail.lang, "\">\n");
  append_escaped(out, "", mail.text, "</pre>\n");
}

void append_language(std::string& out, const Preview& one) {
  append_escaped(out, "<article id=\"lang-", one.asked, "\">\n");
  append_escaped(out, "<h2>", one.asked, "");
  if (!one.error && one.lang != one.asked)
    append_escaped(out, "<small>gets ", one.lang, "</small>");
  out += "</h2>\n";
  if (one.error)
    append_error(out, *one.error);
  else
    append_mail(out, one);
  out += "</article>\n";
}

void append_header(std::string& out, const TemplatePreview& preview) {
  append_escaped(out, "<header>\n<h1>",
                 preview.name.empty() ? preview.id : preview.name, "");
  if (!preview.name.empty())
    append_escaped(out, "<small>", preview.id, "</small>");
  out +=
      "</h1>\n<p class=\"about\">As readers get it. Links do nothing here, and "
      "what a mail would load from the network is not loaded: an image is a "
      "box with its address.</p>\n";
  if (preview.made_up.empty()) {
    out += "</header>\n";
    return;
  }
  out += "<p class=\"made-up\"><b>Made-up values:</b>";
  for (const auto& name : preview.made_up)
    append_escaped(out, " <code>", name, "</code>");
  out += "</p>\n</header>\n";
}

bool has_html(const TemplatePreview& preview) {
  return std::any_of(preview.languages.begin(), preview.languages.end(),
                     [](const Preview& one) { return !one.html.empty(); });
}

void append_switches(std::string& out, const TemplatePreview& preview) {
  const bool switches = has_html(preview);
  if (!switches && preview.languages.size() < 2) return;
  out += "<nav>\n";
  if (switches) out += k_labels;
  if (preview.languages.size() > 1) {
    out += "<span class=\"jump\">";
    for (const auto& one : preview.languages) {
      append_escaped(out, "<a href=\"#lang-", one.asked, "\">");
      append_escaped(out, "", one.asked, "</a> ");
    }
    out += "</span>\n";
  }
  out += "</nav>\n";
}

}  // namespace

std::string framed_html(std::string_view html) {
  std::string out = "<!DOCTYPE html>\n";
  out.append(k_policy).append(k_before_mail);
  out.reserve(out.size() + html.size() + html.size() / 8);
  for (;;) {
    const auto tag = html.find('<');
    out += html.substr(0, tag);
    if (tag == std::string_view::npos) return out;
    html.remove_prefix(tag + 1);
    const auto name = tag_name(html);
    const auto tamed =
        std::find_if(k_tamed.begin(), k_tamed.end(),
                     [&](const auto& one) { return one.first == name; });
    if (tamed == k_tamed.end()) {
      out += '<';
    } else {
      out += tamed->second;
      html.remove_prefix(name.size());
    }
  }
}

std::string preview_page(const TemplatePreview& preview) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n";
  out += "<meta charset=\"utf-8\">\n";
  out += k_policy;
  out +=
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n";
  append_escaped(out, "<title>", preview.id, " – preview</title>\n");
  out.append("<style>").append(k_preview_page_style).append("</style>\n");
  out += "</head>\n<body>\n";
  if (has_html(preview)) out += k_switches;
  append_header(out, preview);
  append_switches(out, preview);
  out += "<main>\n";
  for (const auto& one : preview.languages) append_language(out, one);
  out += "</main>\n</body>\n</html>\n";
  return out;
}

}  // namespace pony
