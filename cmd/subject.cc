#include "cmd/subject.h"

#include <utility>

#include "core/mime/raw_mail.h"
#include "core/template/render_message.h"

namespace pony {

Result<RenderedMessage> rendered(const MessageFile& file, Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  TemplateStore templates((*config)->templates, (*config)->default_lang);
  return render_message(file.message, file.id, file.accepted_at, templates,
                        (*config)->default_from);
}

std::string subject_of(const MessageFile& file, Context& context) {
  if (!file.message.raw.empty()) return raw_subject(file.message.raw);
  if (file.message.template_id.empty()) return file.message.subject;
  auto mail = rendered(file, context);
  return mail ? std::move(mail->subject) : std::string();
}

}  // namespace pony
