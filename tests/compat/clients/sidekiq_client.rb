# SPDX-License-Identifier: BSD-3-Clause
# Sidekiq: jobs, schedules, retries and statistics, worked off by a launcher in this process.
require "sidekiq"
require "sidekiq/api"
require "sidekiq/cli"
require "sidekiq/launcher"

port = ARGV.last
server = {url: "redis://127.0.0.1:#{port}/0"}
Sidekiq.configure_client { |config| config.redis = server }
Sidekiq.redis = server
Sidekiq.logger.level = Logger::FATAL
Redis.silence_deprecations = true

class Add
  include Sidekiq::Worker

  def perform(key, amount)
    Sidekiq.redis { |redis| redis.incrby(key, amount) }
  end
end

class FailOnce
  include Sidekiq::Worker
  sidekiq_options retry: 3
  sidekiq_retry_in { 1 } # and up to 9 more for each failure, by chance

  def perform(key)
    raise "the first time" if Sidekiq.redis { |redis| redis.incr(key) } == 1
  end
end

class FailForGood
  include Sidekiq::Worker
  sidekiq_options retry: 0

  def perform
    raise "on purpose"
  end
end

def check(condition, text = "check failed")
  raise text unless condition
end

def wait_until(seconds = 30)
  ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + seconds
  until yield
    check(Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends, "waited too long")
    sleep 0.02
  end
end

def value(key)
  Sidekiq.redis { |redis| redis.get(key) }.to_i
end

CHECKS = {
  jobs_run: lambda {
    100.times { |n| Add.perform_async("sum", n) }
    wait_until { value("sum") == 4950 }
    Sidekiq::Client.push_bulk("class" => Add, "args" => Array.new(100) { ["bulk", 1] })
    wait_until { value("bulk") == 100 }
  },
  scheduled_jobs_wait: lambda {
    Add.perform_in(1, "late", 5)
    check(Sidekiq::ScheduledSet.new.size == 1 && value("late") == 0)
    wait_until { value("late") == 5 }
    check(Sidekiq::ScheduledSet.new.size == 0)
  },
  failures_are_tried_again: lambda {
    FailOnce.perform_async("tries")
    wait_until(60) { value("tries") == 2 } # a stall of its connection is one more failure
    wait_until { Sidekiq::RetrySet.new.size == 0 }
  },
  failures_are_counted: lambda {
    before = Sidekiq::Stats.new.failed
    FailForGood.perform_async
    wait_until { Sidekiq::Stats.new.failed == before + 1 }
  },
  statistics_and_queues: lambda {
    wait_until { Sidekiq::Stats.new.processed >= 203 }
    check(Sidekiq::Queue.new("default").size == 0)
    wait_until { Sidekiq::ProcessSet.new.size == 1 }
    queue = Sidekiq::Queue.new("unattended")
    3.times { |n| Sidekiq::Client.push("class" => Add, "args" => ["never", n], "queue" => "unattended") }
    check(queue.size == 3 && queue.map(&:klass).uniq == ["Add"])
    queue.first.delete
    check(queue.size == 2)
    queue.clear
    check(queue.size == 0)
  }
}

options = {concurrency: 3, queues: ["default"], timeout: 5, poll_interval_average: 0.2, tag: "test",
           environment: "test", lifecycle_events: {startup: [], quiet: [], shutdown: [], heartbeat: []}}
launcher = Sidekiq::Launcher.new(Sidekiq.options.merge(options))
launcher.run
passed = failed = 0
CHECKS.each do |name, body|
  body.call
  passed += 1
rescue StandardError => error
  failed += 1
  puts "FAILED #{name}: #{error.message}\n#{error.backtrace.join("\n")}"
end
launcher.stop
puts "#{passed} passed, #{failed} failed"
exit(failed == 0 ? 0 : 1)
