#include "core/template/render_message.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "core/base64.h"
#include "core/html/html_text.h"
#include "core/list_unsubscribe.h"

namespace pony {
namespace {

tl::unexpected<Error> no_sender() {
  return fail(Error::Kind::bad_data,
              "there is no sender: neither the message nor its template has "
              "'from', and the configuration has no default_from");
}

// Names of headers are compared without case (RFC 5322, 1.2.2).
bool same_name(const Header& a, const Header& b) {
  return std::equal(a.name.begin(), a.name.end(), b.name.begin(), b.name.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::tolower(x) == std::tolower(y);
                    });
}

// The first of a name wins: what the message says, then what its template
// says, then what pony adds.
void add_header(std::vector<Header>& headers, Header header) {
  const bool known =
      std::any_of(headers.begin(), headers.end(),
                  [&](const Header& own) { return same_name(own, header); });
  if (!known) headers.push_back(std::move(header));
}

void add_tags(std::vector<std::string>& tags, const Template& of) {
  for (const auto& tag : of.tags)
    if (std::find(tags.begin(), tags.end(), tag) == tags.end())
      tags.push_back(tag);
}

}  // namespace

Result<RenderedMessage> render_message(
    const Message& message, std::string_view id, Time accepted_at,
    TemplateStore& templates, const std::optional<Address>& default_from) {
  RenderedMessage mail;
  mail.id = id;
  mail.accepted_at = accepted_at;
  mail.to = message.to;
  mail.cc = message.cc;
  mail.bcc = message.bcc;
  mail.reply_to = message.reply_to;
  mail.subject = message.subject;
  mail.text = message.text;
  mail.html = message.html;
  mail.headers = message.headers;
  mail.attachments = message.attachments;
  mail.tags = message.tags;
  mail.metadata = message.metadata;
  mail.template_id = message.template_id;
  mail.lang = message.lang;
  mail.idempotency_key = message.idempotency_key;
  mail.dsn = message.dsn;
  if (!message.raw.empty()) {
    // Nothing is left to render, and no sender is the null sender.
    mail.raw = decode_base64(message.raw);
    mail.parsed = std::make_shared<ParsedRaw>();
    if (message.from) mail.from = *message.from;
    return mail;
  }

  std::optional<Address> from = message.from;
  auto unsubscribe = message.list_unsubscribe;
  if (!message.template_id.empty()) {
    auto of = templates.find(message.template_id);
    if (!of) return tl::unexpected(of.error());
    auto copy = templates.render(message);
    if (!copy) return tl::unexpected(copy.error());
    mail.lang = std::move(copy->lang);
    mail.subject = std::move(copy->subject);
    mail.text = std::move(copy->text);
    mail.html = std::move(copy->html);
    add_tags(mail.tags, **of);
    if (!from) from = std::move(copy->from);
    if (!mail.reply_to) mail.reply_to = std::move(copy->reply_to);
    for (auto& header : copy->headers)
      add_header(mail.headers, std::move(header));
    if (unsubscribe.empty()) unsubscribe = std::move(copy->list_unsubscribe);
    // No person wrote this mail: away messages and the like shall not answer
    // it (RFC 3834, 5). A message with its own words may be somebody's.
    add_header(mail.headers, {"Auto-Submitted", "auto-generated"});
  }
  for (auto& header : list_unsubscribe_headers(unsubscribe))
    add_header(mail.headers, std::move(header));
  if (!from) from = default_from;
  if (!from) return no_sender();
  mail.from = std::move(*from);
  if (mail.text.empty() && !mail.html.empty())
    mail.text = text_from_html(mail.html);
  return mail;
}

Result<> check_renderable(Message& message, TemplateStore& templates,
                          const std::optional<Address>& default_from,
                          std::vector<std::string>& warnings) {
  if (!message.raw.empty()) return {};
  bool sender = message.from || default_from;
  if (!message.template_id.empty()) {
    if (auto checked = templates.check(message, warnings); !checked)
      return checked;
    auto of = templates.find(message.template_id);
    if (!of) return tl::unexpected(of.error());
    sender = sender || (*of)->from;
    add_tags(message.tags, **of);
  }
  if (!sender) return no_sender();
  return {};
}

}  // namespace pony
