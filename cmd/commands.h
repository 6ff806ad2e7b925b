// One line a command: each is a file of its own, cmd/<name>.cc.
#pragma once

#include "cmd/cli.h"

namespace pony {

Action add_init(CLI::App& app, Context& context);
Action add_enqueue(CLI::App& app, Context& context);
Action add_send(CLI::App& app, Context& context);
Action add_run(CLI::App& app, Context& context);
Action add_queue(CLI::App& app, Context& context);
Action add_show(CLI::App& app, Context& context);
Action add_explain(CLI::App& app, Context& context);
Action add_wait(CLI::App& app, Context& context);
Action add_events(CLI::App& app, Context& context);
Action add_report(CLI::App& app, Context& context);
Action add_top(CLI::App& app, Context& context);
Action add_check(CLI::App& app, Context& context);
int tell_check_error(const Error& error, Context& context);
Action add_retry(CLI::App& app, Context& context);
Action add_cancel(CLI::App& app, Context& context);
Action add_hold(CLI::App& app, Context& context);
Action add_release(CLI::App& app, Context& context);
Action add_config_check(CLI::App& app, Context& context);
Action add_config_show(CLI::App& app, Context& context);
Action add_pool_list(CLI::App& app, Context& context);
Action add_pool_show(CLI::App& app, Context& context);
Action add_provider_check(CLI::App& app, Context& context);
Action add_provider_list(CLI::App& app, Context& context);
Action add_provider_pause(CLI::App& app, Context& context);
Action add_provider_resume(CLI::App& app, Context& context);
Action add_template_list(CLI::App& app, Context& context);
Action add_template_show(CLI::App& app, Context& context);
Action add_template_add(CLI::App& app, Context& context);
Action add_template_edit(CLI::App& app, Context& context);
Action add_template_remove(CLI::App& app, Context& context);
Action add_template_translate(CLI::App& app, Context& context);
Action add_template_export(CLI::App& app, Context& context);
Action add_template_import(CLI::App& app, Context& context);
Action add_template_check(CLI::App& app, Context& context);
Action add_feedback(CLI::App& app, Context& context);
Action add_suppress_list(CLI::App& app, Context& context);
Action add_suppress_add(CLI::App& app, Context& context);
Action add_suppress_remove(CLI::App& app, Context& context);
Action add_suppress_import(CLI::App& app, Context& context);
Action add_forget(CLI::App& app, Context& context);
Action add_fsck(CLI::App& app, Context& context);
Action add_purge(CLI::App& app, Context& context);
Action add_template_preview(CLI::App& app, Context& context);

Action add_schema(CLI::App& app, Context& context);
Action add_completion(CLI::App& app, Context& context);

}  // namespace pony
