// Messages to try core/mime with: random, but the same for the same number, and
// as nasty as a message may be. And what a reader has to find in the mail.
//
// Promises: every message can be composed; together they have all scripts,
// emoji, right-to-left, combining marks, spaces at the ends, look-alikes of
// encoded-words and boundaries, every kind of line end, lines of dots, long
// words and lines, empty texts and files. Doesn't know how a mail is written:
// what is expected is not made with core/mime, but for the Message-ID.
#pragma once

#include "core/json.h"
#include "core/mime/builder.h"
#include "core/rendered_message.h"

namespace pony {

RenderedMessage random_message(unsigned number);

// How it is to be composed: some have addresses that only SMTPUTF8 carries.
MimeOptions options_for(const RenderedMessage& message);

// For tests/support/check_mime.py and read_with_gmime.cc, which see the mail:
//   from, to, cc, reply_to    lists of {name, email}
//   undisclosed               does To have only the group of that name
//   subject, message_id, date (seconds since 1970)
//   headers                   a list of {name, value}
//   structure                 "multipart/mixed(text/plain,image/png)"
//   texts                     a list of {type, text}; lines end in LF
//   attachments               a list of {filename, type, disposition, cid,
//                             content}, in the order in which they stand
Json expected_content(const RenderedMessage& message);

}  // namespace pony
