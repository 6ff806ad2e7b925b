// What a person is told of values that don't fit a template.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/message.h"
#include "core/result.h"
#include "core/template/filling.h"
#include "core/template/template_store.h"

namespace pony {

// The names at the top of what a template can be given: "items" of
// {{#items}}{{price}}{{/items}}, and also "price", as that may stand there.
using NamesInUse = std::set<std::string, std::less<>>;

// A problem for each hole, naming the key that was probably misspelt.
std::vector<Problem> problems_of(const std::vector<Hole>& holes,
                                 const Message& message, const Template& of,
                                 const NamesInUse& names);

// A line for each key that was given and that nothing in the template uses.
std::vector<std::string> warnings_of(const Message& message, const Template& of,
                                     const NamesInUse& names);

}  // namespace pony
