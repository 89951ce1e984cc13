#include "tests/workflows/fakes.h"

#include "connectors/pipe.h"

namespace millrace::test {

using namespace connectors;

namespace {

class FakeSource final : public Source {
 public:
  explicit FakeSource(WorldPtr world) : world_(std::move(world)) {}

  asio::awaitable<CheckResult> check() override {
    CheckResult result;
    if (world_->check_fails) {
      result.ok = false;
      result.code = "postgres.auth_failed";
      result.message = "password authentication failed";
      result.remedy = "Check the password.";
    }
    co_return result;
  }
  asio::awaitable<Catalog> discover() override {
    Catalog catalog;
    for (const auto& [name, _] : world_->tables) {
      Stream stream;
      stream.name = StreamName(name.substr(0, name.find('.')), name.substr(name.find('.') + 1));
      stream.schema = fake_schema();
      stream.primary_key = {"id"};
      stream.sync_modes = {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append};
      catalog.streams.push_back(std::move(stream));
    }
    co_return catalog;
  }
  asio::awaitable<SplitPlan> plan(ConfiguredStream stream, PlanOptions) override {
    const auto& table = world_->tables.at(stream.name.text());
    {
      std::lock_guard lock(world_->mutex);
      ++world_->plans[stream.name.text()];
    }
    SplitPlan plan;
    plan.resumable = table.resumable;
    plan.consistency = table.resumable ? Consistency::key_ranges : Consistency::one_snapshot;
    for (std::size_t i = 0; i < table.splits; ++i) {
      Split split;
      split.id = "000" + std::to_string(i);
      split.bounds = "{}";
      plan.splits.push_back(std::move(split));
    }
    co_return plan;
  }
  asio::awaitable<void> read(ConfiguredStream stream, Split split, std::optional<std::string>,
                             BatchSink& out) override {
    const std::string name = stream.name.text();
    {
      std::lock_guard lock(world_->mutex);
      ++world_->reads[name + "/" + split.id];
    }
    world_->before_read(name, split.id);
    const auto rows = world_->tables.at(name).rows_per_split;
    for (std::int64_t i = 0; i < rows; ++i) {
      RowBatch batch(stream.schema, out.buffer());
      RowWriter writer(batch);
      writer.begin_row(1);
      writer.integer<std::int64_t>(i);
      writer.end_row();
      if (world_->in_read) co_await world_->in_read(name, split.id);
      co_await out.write(std::move(batch));
    }
    Checkpoint checkpoint;
    checkpoint.id = split.id;
    checkpoint.state = "{}";
    checkpoint.rows = rows + world_->source_counts_wrong_by;
    checkpoint.complete = true;
    co_await out.checkpoint(std::move(checkpoint));
  }
  asio::awaitable<void> close() override {
    std::lock_guard lock(world_->mutex);
    world_->closed.push_back("source");
    co_return;
  }

 private:
  WorldPtr world_;
};

class FakeSplitWriter final : public SplitWriter {
 public:
  FakeSplitWriter(WorldPtr world, std::string stream, std::string split, std::uint32_t attempt)
      : world_(std::move(world)), stream_(std::move(stream)), split_(std::move(split)), attempt_(attempt) {}
  asio::awaitable<void> write(const RowBatch& batch) override {
    rows_ += batch.rows();
    co_return;
  }
  asio::awaitable<Committed> commit(Checkpoint checkpoint) override {
    world_->before_commit(stream_, split_);
    std::lock_guard lock(world_->mutex);
    auto& stored = world_->stored[stream_];
    if (stored.attempt != attempt_) throw Error("destination.fenced", stream_);
    auto& at = stored.splits[split_];
    const auto before = at.rows;
    at = checkpoint;
    at.rows = before + rows_ + world_->destination_counts_wrong_by;
    rows_ = 0;
    Committed committed;
    committed.rows = at.rows;
    co_return committed;
  }
  asio::awaitable<void> abort() override { co_return; }

 private:
  WorldPtr world_;
  std::string stream_, split_;
  std::uint32_t attempt_;
  std::int64_t rows_ = 0;
};

class FakeStreamWriter final : public StreamWriter {
 public:
  FakeStreamWriter(WorldPtr world, std::string stream, std::uint32_t attempt)
      : world_(std::move(world)), stream_(std::move(stream)), attempt_(attempt) {
    std::lock_guard lock(world_->mutex);
    auto& stored = world_->stored[stream_];
    stored.attempt = attempt;
    committed_ = stored.splits;
    finished_ = stored.finished;
  }
  const std::map<std::string, Checkpoint>& committed() const override { return committed_; }
  bool finished() const override { return finished_; }
  asio::awaitable<void> restart() override {
    std::lock_guard lock(world_->mutex);
    world_->stored[stream_].splits.clear();
    ++world_->stored[stream_].restarts;
    committed_.clear();
    co_return;
  }
  asio::awaitable<std::unique_ptr<SplitWriter>> open_split(std::string split_id) override {
    std::unique_ptr<SplitWriter> writer =
        std::make_unique<FakeSplitWriter>(world_, stream_, std::move(split_id), attempt_);
    co_return writer;
  }
  asio::awaitable<void> finish(std::vector<std::string> splits, std::int64_t rows) override {
    std::lock_guard lock(world_->mutex);
    auto& stored = world_->stored[stream_];
    std::int64_t sum = 0;
    for (const auto& id : splits) sum += stored.splits.at(id).rows;
    if (sum != rows || splits.size() != stored.splits.size()) throw Error("destination.incomplete", stream_);
    stored.finished = true;
    finished_ = true;
    co_return;
  }

 private:
  WorldPtr world_;
  std::string stream_;
  std::uint32_t attempt_;
  std::map<std::string, Checkpoint> committed_;
  bool finished_ = false;
};

class FakeDestination final : public Destination {
 public:
  explicit FakeDestination(WorldPtr world) : world_(std::move(world)) {}
  asio::awaitable<CheckResult> check() override {
    CheckResult ok;
    co_return ok;
  }
  std::vector<SyncMode> sync_modes() const override {
    return {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append};
  }
  asio::awaitable<std::unique_ptr<StreamWriter>> open_stream(StreamTarget target, std::string,
                                                             std::uint32_t attempt) override {
    const std::string name = target.source_name.text();
    world_->before_open(name);
    std::unique_ptr<StreamWriter> writer = std::make_unique<FakeStreamWriter>(world_, name, attempt);
    co_return writer;
  }
  asio::awaitable<PublishResult> publish(StreamTarget target) override {
    const std::string name = target.source_name.text();
    world_->before_publish(name);
    std::lock_guard lock(world_->mutex);
    auto& stored = world_->stored[name];
    if (!stored.finished) throw Error("destination.incomplete", name);
    PublishResult result;
    for (const auto& [_, c] : stored.splits) result.rows += c.rows;
    result.already_done = stored.published;
    stored.published = true;
    co_return result;
  }
  asio::awaitable<void> close() override {
    std::lock_guard lock(world_->mutex);
    world_->closed.push_back("destination");
    co_return;
  }

 private:
  WorldPtr world_;
};

}  // namespace

Schema fake_schema() {
  Schema schema;
  Field id;
  id.name = "id";
  id.type = Type(connectors::Kind::int64, "bigint");
  schema.fields.push_back(std::move(id));
  return schema;
}

std::unique_ptr<Source> make_fake_source(WorldPtr world) { return std::make_unique<FakeSource>(std::move(world)); }
std::unique_ptr<Destination> make_fake_destination(WorldPtr world) {
  return std::make_unique<FakeDestination>(std::move(world));
}

Connector fake_sync_connector(WorldPtr world) {
  Connector c;
  c.name = "fake";
  c.definition_id = "11111111-1111-4111-8111-111111111111";
  c.title = "Fake";
  c.source_spec = R"({"type": "object", "properties": {"password": {"type": "string", "airbyte_secret": true}}})";
  c.destination_spec = R"({"type": "object", "properties": {"schema": {"type": "string", "default": "public"}}})";
  c.source_modes = {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append};
  c.destination_modes = c.source_modes;
  c.make_source = [world](Runtime, const std::string&) { return make_fake_source(world); };
  c.make_destination = [world](Runtime, const std::string&) { return make_fake_destination(world); };
  return c;
}

}  // namespace millrace::test
