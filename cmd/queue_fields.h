// `pony queue --fields a,b,c`: chosen facts of a message on one line, for
// shell scripts. Names and meanings are stable.
//
// A line's values stand between tabs; a control character in a value is shown
// as \xNN, so that a line is always one message and a tab always a border.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cmd/listing.h"
#include "core/clock.h"
#include "core/result.h"

namespace pony {

struct QueueField {
  std::string_view name;
  std::string_view meaning;  // for the help and the manual
  // What is not known, or does not apply, is empty.
  std::string (*value)(const Listed& listed, Time now);
};

// All there are, in the order of the manual.
const std::vector<QueueField>& queue_fields();

// The field called `name`. usage, with the nearest, when there is none.
Result<const QueueField*> queue_field_called(std::string_view name);

// One line, with its '\n'.
std::string fields_line(const std::vector<const QueueField*>& fields,
                        const Listed& listed, Time now);

}  // namespace pony
